//! Where a broker is, how safe the way to it is, and who we are there.

use std::fmt;

use super::tls::Tls;

/// A broker.
#[derive(Clone, Debug)]
pub struct Broker {
    /// Host name or address; over TLS its certificate must name it.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The encrypted way; `None`: plain MQTT.
    pub tls: Option<Tls>,
    /// Who we are; `None`: whom our certificate names, else anybody.
    pub login: Option<Login>,
}

/// A user and the password. Nothing prints the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    user: String,
    password: Option<String>,
}

impl Broker {
    /// Plain MQTT to `host`, anonymously.
    pub fn plain(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, tls: None, login: None }
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl Login {
    /// A user; the password is `None` where a certificate stands in its place.
    pub fn new(user: impl Into<String>, password: Option<String>) -> Self {
        Self { user: user.into(), password }
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password: for the link alone.
    pub(super) fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_in_nothing_that_is_printed() {
        let login = Login::new("box-03", Some("correct horse".into()));
        let broker = Broker { login: Some(login), ..Broker::plain("10.0.0.5", 8883) };
        let printed = format!("{broker} {broker:?} {broker:#?}");
        assert!(printed.contains("box-03") && !printed.contains("horse"), "{printed}");
    }
}
