/**
 * The variables of the templates. Templates use these names, so a renamed field breaks them. Every text is one line,
 * bounded and free of control characters, and not escaped yet: the HTML template escapes every output. No field is
 * undefined; null means none.
 */
export interface View {
  readonly product: { readonly name: string };
  /** Language of the recipient (BCP 47), "en" if unknown. */
  readonly lang: string;
  readonly dir: "ltr" | "rtl";
  readonly recipient: {
    readonly userId: string;
    /** "" where the recipient has no name. */
    readonly name: string;
    readonly locale: string | null;
    readonly timezone: string | null;
  };
  readonly counts: {
    /** Missed messages in all conversations, including the messages not shown. */
    readonly messages: number;
    readonly conversations: number;
    /** Messages in the notification that mention the recipient. */
    readonly mentions: number;
    /** Conversations left out for lack of room. */
    readonly conversationsOmitted: number;
  };
  /** Sender and conversation of the latest message that mentions the recipient. */
  readonly mention: { readonly by: string; readonly subject: string | null } | null;
  /** Sender and text of the mention's message, else of the first message. A mail client shows it next to the subject. */
  readonly preview: string;
  readonly conversations: readonly ShownConversation[];
}

export interface ShownConversation {
  readonly conversationId: string;
  readonly subject: string | null;
  /** http or https, as every URL in the view. */
  readonly photoUrl: string | null;
  /** Target of the conversation's button. */
  readonly joinUrl: string;
  /** READ_WRITE or READ. */
  readonly access: string;
  /** Missed messages, including the messages not shown. */
  readonly count: number;
  /** Earlier missed messages that are not shown. */
  readonly omitted: number;
  /** Names of the senders shown, each once, in the order of their first messages. */
  readonly senders: readonly string[];
  /** Messages shown, oldest first. */
  readonly messages: readonly ShownMessage[];
  /** The same messages, grouped where one sender wrote them without a pause. */
  readonly runs: readonly Run[];
}

/** Messages that one sender wrote without a pause. */
export interface Run {
  /** USER or SYSTEM: the kind of all its messages. */
  readonly kind: string;
  readonly sender: Sender;
  /** Time of its first message. */
  readonly at: string;
  readonly mentioned: boolean;
  readonly messages: readonly ShownMessage[];
}

export interface ShownMessage {
  /** USER or SYSTEM. */
  readonly kind: string;
  readonly sender: Sender;
  /** Lines of the message, joined by line feeds: the only text of several lines. */
  readonly text: string;
  readonly lines: readonly string[];
  readonly attachments: readonly ShownAttachment[];
  /** Number of attachments not shown. */
  readonly attachmentsOmitted: number;
  readonly mentioned: boolean;
  /** Time in the recipient's timezone and locale, with the date unless it is the notification's. */
  readonly at: string;
}

export interface Sender {
  /** "Someone" where the sender is unknown or has no name. */
  readonly name: string;
  readonly photoUrl: string | null;
  /** One or two letters. */
  readonly initials: string;
  /** `#rrggbb`, the same for a user in every mail, and dark enough for white letters on it (WCAG 2.2 AA). */
  readonly color: string;
}

export interface ShownAttachment {
  readonly name: string;
  /** null where the URL is neither http nor https: the name is then not linked. */
  readonly url: string | null;
  /** "1.2 MB"; "" if unknown. */
  readonly size: string;
}
