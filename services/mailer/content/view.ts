/**
 * What the templates are given: names are the templates' vocabulary, so renaming one breaks templates. All text is of
 * one line, bounded and free of control characters, and not escaped: that the HTML template does for every output.
 * Nothing is undefined; null is "none".
 */
export interface View {
  readonly product: { readonly name: string };
  /** BCP 47 of the recipient, "en" if unknown: for `lang`. */
  readonly lang: string;
  readonly dir: "ltr" | "rtl";
  readonly recipient: {
    readonly userId: string;
    /** "" for none. */
    readonly name: string;
    readonly locale: string | null;
    readonly timezone: string | null;
  };
  readonly counts: {
    /** Missed messages in all conversations, those not shown included. */
    readonly messages: number;
    readonly conversations: number;
    /** Those that mention the recipient, as far as the notification shows them. */
    readonly mentions: number;
    /** Conversations that there was no room for. */
    readonly conversationsOmitted: number;
  };
  /** The latest message that mentions the recipient: who, and where. */
  readonly mention: { readonly by: string; readonly subject: string | null } | null;
  /** Who wrote what: the mention's message, else the first. A mail client shows it next to the subject. */
  readonly preview: string;
  readonly conversations: readonly ShownConversation[];
}

export interface ShownConversation {
  readonly conversationId: string;
  readonly subject: string | null;
  /** http or https, as every URL here. */
  readonly photoUrl: string | null;
  /** Where the button leads. */
  readonly joinUrl: string;
  /** READ_WRITE or READ. */
  readonly access: string;
  /** Missed messages, those not shown included. */
  readonly count: number;
  /** Earlier missed messages that are not shown. */
  readonly omitted: number;
  /** Names of those whose messages are shown, each once, in the order in which they first wrote. */
  readonly senders: readonly string[];
  /** Oldest first. */
  readonly messages: readonly ShownMessage[];
  /** The same messages, those together that one sender wrote without a pause. */
  readonly runs: readonly Run[];
}

export interface Run {
  /** USER or SYSTEM, of all its messages. */
  readonly kind: string;
  readonly sender: Sender;
  /** Of its first message. */
  readonly at: string;
  readonly mentioned: boolean;
  readonly messages: readonly ShownMessage[];
}

export interface ShownMessage {
  /** USER or SYSTEM. */
  readonly kind: string;
  readonly sender: Sender;
  /** Its lines, joined by line feeds: the only text of several lines. */
  readonly text: string;
  readonly lines: readonly string[];
  readonly attachments: readonly ShownAttachment[];
  /** How many more there are. */
  readonly attachmentsOmitted: number;
  readonly mentioned: boolean;
  /** In the recipient's timezone and locale; with the day, unless it is that of the notification. */
  readonly at: string;
}

export interface Sender {
  /** "Someone" for who has no name or is unknown. */
  readonly name: string;
  readonly photoUrl: string | null;
  /** One or two letters. */
  readonly initials: string;
  /** `#rrggbb`, the same for a user in every mail: dark enough for white letters on it (WCAG 2.2 AA). */
  readonly color: string;
}

export interface ShownAttachment {
  readonly name: string;
  /** null where it isn't http or https: there is no link then. */
  readonly url: string | null;
  /** "1.2 MB"; "" if unknown. */
  readonly size: string;
}
