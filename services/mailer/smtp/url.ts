/** The mail server in SMTP_URL. */
export interface Smtp {
  readonly host: string;
  readonly port: number;
  /** True: TLS from the first octet (RFC 8314). False: STARTTLS where the server offers it. */
  readonly secure: boolean;
  /** No mail is sent without TLS. */
  readonly requireTLS: boolean;
  /** STARTTLS is never used. */
  readonly ignoreTLS: boolean;
  /** The server's certificate must be valid. */
  readonly verified: boolean;
  /** Name in EHLO; null for the sender's domain. */
  readonly name: string | null;
  readonly auth: { readonly user: string; readonly pass: string } | null;
}

const SUBMISSION = 587;
const SUBMISSIONS = 465;
const FLAGS = ["requireTLS", "ignoreTLS", "tls.rejectUnauthorized"];
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Says the fault of an SMTP_URL; null if it has none. */
export const smtpProblem = (url: string): string | null => {
  if (!URL.canParse(url)) return "is not a URL";
  const { protocol, hostname, pathname, searchParams, username, password } = new URL(url);
  if (protocol !== "smtp:" && protocol !== "smtps:") return "does not begin with smtp:// or smtps://";
  if (hostname === "") return "names no host";
  if (pathname !== "" && pathname !== "/") return "has a path";
  if ((username === "") !== (password === "")) return "has a user without a password or the other way round";
  if (!decodable(username) || !decodable(password)) return "has a % in its credentials that is not written %25";
  for (const [key, value] of searchParams) {
    if (key === "name") continue;
    if (!FLAGS.includes(key)) return `has the unknown parameter ${key} (known: name, ${FLAGS.join(", ")})`;
    if (value !== "true" && value !== "false") return `says neither true nor false for ${key}`;
  }
  return null;
};

const decodable = (text: string): boolean => {
  try {
    return decodeURIComponent(text) !== "\0";
  } catch {
    return false;
  }
};

/**
 * Parses an SMTP_URL without an `smtpProblem`. Credentials for another machine are never sent in the clear, unless the
 * URL says `requireTLS=false`.
 */
export const smtpOf = (url: string): Smtp => {
  const { protocol, hostname, port, username, password, searchParams } = new URL(url);
  const secure = protocol === "smtps:";
  const auth = username === "" ? null : { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  const flag = (name: string, fallback: boolean): boolean => (searchParams.get(name) ?? String(fallback)) === "true";
  const ignoreTLS = flag("ignoreTLS", false);
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (secure ? SUBMISSIONS : SUBMISSION) : Number(port),
    secure,
    ignoreTLS,
    auth,
    name: searchParams.get("name"),
    requireTLS: flag("requireTLS", !secure && !ignoreTLS && auth !== null && !LOOPBACK.test(hostname)),
    verified: flag("tls.rejectUnauthorized", true),
  };
};
