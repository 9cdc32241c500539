//! The encrypted way: TLS 1.2 or 1.3 to a broker that a CA of ours vouches for, and with a certificate of
//! our own where the broker wants one. The files are read once, at the start; a new connection reads nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, fs, io};

use rustls::client::{ClientConfig, WebPkiServerVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, CertificateError, Error, RootCertStore};

/// All that is needed to make the encrypted way, again and again.
#[derive(Clone)]
pub struct Tls(Arc<ClientConfig>);

/// The files of [`Tls`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The CAs that may vouch for the broker, PEM.
    pub ca: PathBuf,
    /// Our own certificate.
    pub identity: Option<Identity>,
}

/// Who we are, proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and those between it and its CA, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM, not encrypted.
    pub key: PathBuf,
}

/// Which of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The CA.
    Ca,
    /// Our certificate.
    Certificate,
    /// Our key.
    Key,
}

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{part} {} {why}: {}", file.display(), why.remedy(*part))]
pub struct Unusable {
    /// Which.
    pub part: Part,
    /// Its path.
    pub file: PathBuf,
    /// Why not.
    pub why: Why,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// It cannot be read.
    #[error("cannot be read ({0})")]
    Unreadable(io::Error),
    /// It holds nothing of the kind.
    #[error("holds nothing of the kind in PEM")]
    Empty,
    /// It is PEM, and what is inside is broken or of an unknown kind.
    #[error("cannot be used ({0})")]
    Broken(Error),
    /// The key is that of another certificate.
    #[error("is not the key of the certificate")]
    OtherKey,
}

/// Why there is no encrypted way to the broker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsLoss {
    /// No CA of ours has signed its certificate.
    #[error(
        "the broker's certificate is signed by no CA in ca_file: is this the right broker, and ca_file the CA that signed its certificate?"
    )]
    Untrusted,
    /// Its certificate is for another name.
    #[error(
        "the broker's certificate does not name {expected:?} but {presented}: write `host` as the certificate has it, or have the certificate name it"
    )]
    OtherName {
        /// The host that we asked for.
        expected: String,
        /// Whom the certificate names.
        presented: String,
    },
    /// Its certificate is too old.
    #[error("the broker's certificate has expired: renew it, or set the clock of this box")]
    Expired,
    /// Its certificate is too young.
    #[error("the broker's certificate is not valid yet: set the clock of this box")]
    NotYetValid,
    /// Its certificate has another defect.
    #[error(
        "the broker's certificate cannot be used ({0}): it must be a server's, version 3, name the host, and be signed by the CA in ca_file without being that CA"
    )]
    Unfit(String),
    /// It wants a certificate of ours.
    #[error("the broker wants a client certificate: name certificate_file and key_file in [broker.tls]")]
    CertificateWanted,
    /// It does not accept ours.
    #[error(
        "the broker refuses our client certificate ({0}): it must not have expired, and the broker's cafile must be the CA that signed it"
    )]
    CertificateRefused(String),
    /// Its TLS is too old, or has nothing in common with ours.
    #[error("the broker and we have no TLS in common ({0}): it must speak TLS 1.2 or 1.3")]
    NothingInCommon(String),
    /// What answers speaks something else.
    #[error("what answers there does not speak TLS: is `port` the broker's encrypted listener (8883 as a rule)?")]
    NoTls,
    /// It hung up before it said welcome.
    #[error(
        "the broker hung up before it said welcome: is `port` its encrypted listener, and does it want a client certificate? Its log says more"
    )]
    Closed,
    /// Anything else.
    #[error("the encrypted connection failed ({0})")]
    Other(String),
}

impl Tls {
    /// Reads the files, which blocks.
    ///
    /// # Errors
    /// The first of them that cannot be used.
    pub fn read(files: &TlsFiles) -> Result<Self, Unusable> {
        let provider = Arc::new(ring::default_provider());
        let roots = read_roots(&files.ca).map_err(|why| why.of(Part::Ca, &files.ca))?;
        let broken = |error| Why::Broken(error).of(Part::Ca, &files.ca);
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
        let verifier = verifier.map_err(|error| broken(Error::General(error.to_string())))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(broken)?
            .with_webpki_verifier(verifier);
        let Some(Identity { certificate, key }) = &files.identity else {
            return Ok(Self(Arc::new(config.with_no_client_auth())));
        };
        let chain = read_certificates(certificate).map_err(|why| why.of(Part::Certificate, certificate))?;
        let secret = read_key(key).map_err(|why| why.of(Part::Key, key))?;
        match config.with_client_auth_cert(chain, secret) {
            Ok(config) => Ok(Self(Arc::new(config))),
            Err(Error::InconsistentKeys(_)) => Err(Why::OtherKey.of(Part::Key, key)),
            Err(error @ Error::InvalidCertificate(_)) => Err(Why::Broken(error).of(Part::Certificate, certificate)),
            Err(error) => Err(Why::Broken(error).of(Part::Key, key)),
        }
    }

    /// Whether a certificate can name that host at all.
    #[must_use]
    pub fn can_name(host: &str) -> bool {
        ServerName::try_from(host).is_ok()
    }
}

fn read_roots(file: &Path) -> Result<RootCertStore, Why> {
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates(file)? {
        roots.add(certificate).map_err(Why::Broken)?;
    }
    Ok(roots)
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Why> {
    let text = fs::read(file).map_err(Why::Unreadable)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match all {
        Ok(all) if all.is_empty() => Err(Why::Empty),
        Ok(all) => Ok(all),
        Err(error) => Err(Why::Broken(Error::General(error.to_string()))),
    }
}

fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>, Why> {
    let text = fs::read(file).map_err(Why::Unreadable)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| Why::Empty)
}

impl Why {
    fn of(self, part: Part, file: &Path) -> Unusable {
        Unusable { part, file: file.to_owned(), why: self }
    }

    /// What to do about it.
    #[must_use]
    pub const fn remedy(&self, part: Part) -> &'static str {
        match (self, part) {
            (Self::Unreadable(_), _) => "correct the path, and let the daemon's user read it",
            (Self::Empty, Part::Key) => "give the private key in PEM, not encrypted (-----BEGIN PRIVATE KEY-----)",
            (Self::Empty, _) => "give certificates in PEM (-----BEGIN CERTIFICATE-----)",
            (Self::Broken(_), _) => "have it made anew; docs/broker.md says how",
            (Self::OtherKey, _) => "give the key that the certificate was requested with",
        }
    }
}

impl TlsLoss {
    /// Whether an error of that kind says that the other one has gone.
    pub(super) const fn is_closing(kind: io::ErrorKind) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
    }
}

impl From<&Error> for TlsLoss {
    fn from(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(error) => error.into(),
            Error::AlertReceived(alert) => (*alert).into(),
            Error::PeerIncompatible(_) => Self::NothingInCommon(error.to_string()),
            Error::InvalidMessage(_) => Self::NoTls,
            _ => Self::Other(error.to_string()),
        }
    }
}

impl From<&CertificateError> for TlsLoss {
    fn from(error: &CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::Untrusted,
            CertificateError::NotValidForNameContext { expected, presented } => Self::OtherName {
                expected: expected.to_str().into_owned(),
                presented: if presented.is_empty() { "nothing".to_owned() } else { presented.join(", ") },
            },
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            _ => Self::Unfit(error.to_string()),
        }
    }
}

impl From<AlertDescription> for TlsLoss {
    fn from(alert: AlertDescription) -> Self {
        use AlertDescription as Alert;
        match alert {
            Alert::CertificateRequired => Self::CertificateWanted,
            Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::AccessDenied
            | Alert::DecryptError => Self::CertificateRefused(format!("{alert:?}")),
            Alert::ProtocolVersion | Alert::InsufficientSecurity => Self::NothingInCommon(format!("{alert:?}")),
            // What TLS 1.2 says instead of "certificate required".
            Alert::HandshakeFailure => Self::Closed,
            _ => Self::Other(format!("the broker says {alert:?}")),
        }
    }
}

impl From<Tls> for Arc<ClientConfig> {
    fn from(tls: Tls) -> Self {
        tls.0
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ca => "the CA file",
            Self::Certificate => "the certificate",
            Self::Key => "the private key",
        })
    }
}
