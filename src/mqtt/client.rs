//! A visitor at the broker: listens, asks, and goes. For the command line; a daemon is a
//! [`Publisher`](super::Publisher).

use std::collections::VecDeque;
use std::future::poll_fn;
use std::time::Duration;

use tokio::time::timeout;

use super::broker::Broker;
use super::feeder::{Ack, Refusal};
pub use super::link::Request;
use super::link::{Incoming, Link, Loss, Notice};

/// From the name of the host to the broker's welcome. The link gives up after 3 s by itself, and says
/// why; this is for what is outside it.
const CONNECT: Duration = Duration::from_secs(4);
/// How long the broker may take to confirm a message.
const CONFIRM: Duration = Duration::from_secs(3);
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// Why the broker is of no help.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection, or it has ended.
    #[error("{broker}: {loss}")]
    Lost {
        /// Where.
        broker: Broker,
        /// Why.
        loss: Loss,
    },
    /// We may not hear that.
    #[error("the broker at {broker} does not let us subscribe to {filter}: allow it in its access list")]
    NotSubscribed {
        /// Where.
        broker: Broker,
        /// The filter.
        filter: String,
    },
    /// We may not say that.
    #[error("the broker at {broker} does not let us publish on {topic}: allow it in its access list")]
    NotAllowed {
        /// Where.
        broker: Broker,
        /// The topic.
        topic: String,
    },
    /// The broker does not take a message for another reason.
    #[error("the broker at {broker} does not take a message on {topic}: {refusal}")]
    NotTaken {
        /// Where.
        broker: Broker,
        /// The topic.
        topic: String,
        /// Why.
        refusal: Refusal,
    },
}

/// One connection, for as long as it lasts: it is not made again.
pub struct Client {
    broker: Broker,
    link: Link,
    /// What came while something else was waited for.
    inbox: VecDeque<Incoming>,
    sent: u64,
}

impl Client {
    /// Connects under a name made up for this visit, and listens to `filters`. Takes 4 s at the most.
    ///
    /// # Errors
    /// There is no broker, it does not answer, or it does not let us in.
    pub async fn connect(broker: Broker, filters: Vec<String>) -> Result<Self, ClientError> {
        let name = format!("vitalsd-visit-{:016x}", fastrand::u64(..));
        let link = match Link::visit(broker.clone(), name, filters) {
            Ok(link) => link,
            Err(loss) => return Err(ClientError::Lost { broker, loss }),
        };
        let mut client = Self { broker, link, inbox: VecDeque::new(), sent: 0 };
        let welcome = async {
            loop {
                if let Some(Notice::Up { .. }) = client.notice().await? {
                    return Ok(());
                }
            }
        };
        match timeout(CONNECT, welcome).await {
            Ok(result) => result.map(|()| client),
            Err(_) => Err(client.lost(Loss::NoAnswer)),
        }
    }

    /// The next message.
    ///
    /// # Errors
    /// The connection has ended, or a filter was refused.
    pub async fn next(&mut self) -> Result<Incoming, ClientError> {
        loop {
            if let Some(incoming) = self.inbox.pop_front() {
                return Ok(incoming);
            }
            self.notice().await?;
        }
    }

    /// Says something, and waits until the broker has it: 3 s at the most.
    ///
    /// # Errors
    /// The broker does not want it, or the connection has ended.
    pub async fn publish(&mut self, request: Request) -> Result<(), ClientError> {
        let topic = request.topic.clone();
        self.sent += 1;
        let token = self.sent;
        let taken = match self.link.request(request, token) {
            Ok(()) => timeout(CONFIRM, self.confirmed(token)).await.map_err(|_| self.lost(Loss::Silent))??,
            Err(refusal) => Ack::Refused(refusal),
        };
        let broker = self.broker.clone();
        match taken {
            Ack::Refused(Refusal::NotAuthorised) => Err(ClientError::NotAllowed { broker, topic }),
            Ack::Refused(refusal) => Err(ClientError::NotTaken { broker, topic, refusal }),
            _ => Ok(()),
        }
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        self.link.disconnect();
        let _ = timeout(GOODBYE, async { while self.notice().await.is_ok() {} }).await;
    }

    async fn confirmed(&mut self, token: u64) -> Result<Ack, ClientError> {
        loop {
            if let Some(Notice::Acked(_, ack)) =
                self.notice().await?.filter(|notice| matches!(notice, Notice::Acked(of, _) if *of == token))
            {
                return Ok(ack);
            }
        }
    }

    /// What happens next. A message is kept for [`Client::next`], the end is an error.
    async fn notice(&mut self) -> Result<Option<Notice>, ClientError> {
        match poll_fn(|cx| self.link.poll(cx)).await {
            Notice::Incoming(incoming) => {
                self.inbox.push_back(incoming);
                Ok(None)
            }
            Notice::Down(loss) => Err(self.lost(loss)),
            Notice::NotSubscribed(filter) => Err(ClientError::NotSubscribed { broker: self.broker.clone(), filter }),
            notice @ (Notice::Up { .. } | Notice::Written(_) | Notice::Acked(..)) => Ok(Some(notice)),
        }
    }

    fn lost(&self, loss: Loss) -> ClientError {
        ClientError::Lost { broker: self.broker.clone(), loss }
    }
}
