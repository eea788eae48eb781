// The JSON of Mailpit's API v1, the field's usual mail sink: names, types and letter case are Mailpit's.

/** A name and an address; both "" where there is none. */
export interface Address {
  readonly Name: string;
  readonly Address: string;
}

/** An attachment or an inline part, by the number that `/part/{PartID}` takes. */
export interface Attachment {
  readonly PartID: string;
  readonly FileName: string;
  readonly ContentType: string;
  /** Without angle brackets. */
  readonly ContentID: string;
  /** Bytes, decoded. */
  readonly Size: number;
  readonly Checksums: { readonly MD5: string; readonly SHA1: string; readonly SHA256: string };
}

interface Addressed {
  readonly ID: string;
  /** The Message-ID without angle brackets. */
  readonly MessageID: string;
  readonly From: Address;
  readonly To: readonly Address[];
  readonly Cc: readonly Address[];
  /** The Bcc header, and recipients of the envelope that no header names. */
  readonly Bcc: readonly Address[];
  readonly ReplyTo: readonly Address[];
  readonly Subject: string;
  readonly Tags: readonly string[];
  /** The name the client signed in with, or "". */
  readonly Username: string;
  /** Bytes of the mail as it was sent. */
  readonly Size: number;
}

/** A mail in a list. */
export interface MessageSummary extends Addressed {
  readonly Read: boolean;
  /** Time of receipt, RFC 3339. */
  readonly Created: string;
  readonly Attachments: number;
  readonly Snippet: string;
}

/** The List-Unsubscribe and List-Unsubscribe-Post headers (RFC 2369, RFC 8058). */
export interface ListUnsubscribe {
  readonly Header: string;
  readonly Links: readonly string[];
  readonly Errors: string;
  readonly HeaderPost: string;
}

/** A mail in full. */
export interface Message extends Addressed {
  /** The envelope's sender. */
  readonly ReturnPath: string;
  /** The Date header, or the time of receipt; RFC 3339. */
  readonly Date: string;
  readonly ListUnsubscribe: ListUnsubscribe;
  /** The text part; "" if there is none (it is never made from the HTML). */
  readonly Text: string;
  readonly HTML: string;
  readonly Inline: readonly Attachment[];
  readonly Attachments: readonly Attachment[];
}

/** A page of a list. */
export interface MessagesSummary {
  /** Mails in the mailbox. */
  readonly total: number;
  readonly unread: number;
  /** Mails in this answer. */
  readonly count: number;
  /** Mails that match. */
  readonly messages_count: number;
  readonly messages_unread: number;
  readonly start: number;
  readonly tags: readonly string[];
  readonly messages: readonly MessageSummary[];
}
