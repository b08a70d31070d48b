//! Where certificates come from: options that every sealing program shares.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use crate::address::Address;
use crate::cert::{Expired, Layout, Sources, Subkeys};
use crate::envelope;
use crate::message::Header;

/// Certificates, in this order: the files named, the directory, the user's own places.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Certificates")]
pub struct Certificates {
    /// Certificate of a reader; may be repeated
    #[arg(long = "cert", value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Directory with the certificates of many recipients
    #[arg(long = "certs", value_name = "DIR")]
    pub directory: Option<PathBuf>,

    /// How it names them
    #[arg(long, value_name = "LAYOUT", default_value = "address", requires = "directory")]
    pub layout: Layout,

    /// Let local+tag have a certificate of its own
    #[arg(long, requires = "directory")]
    pub tags: bool,

    /// Whose certificate [$RECIPIENT and the like]
    #[arg(long, value_name = "ADDRESS")]
    pub recipient: Option<OsString>,

    /// If it has expired: defer, seal
    #[arg(long, value_name = "WHAT", default_value = "defer")]
    pub expired: Expired,

    /// Seal to classical subkeys beside post-quantum ones
    #[arg(long)]
    pub all_subkeys: bool,
}

impl Certificates {
    /// Where to look.
    pub fn sources(&self) -> Sources {
        Sources {
            files: self.files.clone(),
            directory: self.directory.clone(),
            layout: self.layout,
            tags: self.tags,
        }
    }

    /// Whose certificate: asked for only where a directory holds those of many.
    ///
    /// # Errors
    /// What was told is no address, or may not be the true one.
    pub fn recipient(&self, header: Header) -> Result<Option<Address>> {
        match &self.directory {
            Some(_) => envelope::recipient(self.recipient.as_deref(), header),
            None => Ok(None),
        }
    }

    /// The directory whose users are all meant: nobody's mailbox is named.
    pub fn everybody(&self) -> Option<&Path> {
        self.directory.as_deref().filter(|_| self.files.is_empty() && self.recipient.is_none())
    }

    /// Which subkeys.
    pub fn subkeys(&self) -> Subkeys {
        if self.all_subkeys { Subkeys::All } else { Subkeys::Strongest }
    }
}
