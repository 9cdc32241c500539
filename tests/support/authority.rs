//! A certificate authority of one test, with its files in a directory of its own.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use tempfile::TempDir;
use vitalsd::mqtt::tls::Identity;

/// A CA, and what it has signed.
pub struct Authority {
    dir: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let dir = TempDir::new().expect("a directory");
        let mut params = named("Clinic CA", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        fs::write(dir.path().join("ca.pem"), certificate.pem()).expect("a file");
        Self { dir, issuer: Issuer::new(params, key) }
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its own certificate.
    pub fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// A broker's certificate for these names and addresses.
    pub fn server(&self, hosts: &[&str]) -> Identity {
        let mut params = named("broker", hosts);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign("broker", &params)
    }

    /// The same, and it expired in 2001.
    pub fn expired_server(&self, hosts: &[&str]) -> Identity {
        let mut params = named("broker", hosts);
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2001, 1, 1);
        self.sign("expired", &params)
    }

    /// Somebody's certificate.
    pub fn client(&self, name: &str) -> Identity {
        let mut params = named(name, &[]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(name, &params)
    }

    fn sign(&self, file: &str, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &self.issuer).expect("a certificate");
        let path = |kind| self.dir.path().join(format!("{file}.{kind}"));
        let identity = Identity { certificate: path("pem"), key: path("key") };
        fs::write(&identity.certificate, signed.pem()).expect("a file");
        fs::write(&identity.key, key.serialize_pem()).expect("a file");
        identity
    }
}

fn named(name: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<_> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).expect("host names");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
