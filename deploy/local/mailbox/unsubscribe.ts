import type { ListUnsubscribe } from "./mailpit.ts";

/**
 * Reads List-Unsubscribe (RFC 2369): addresses in angle brackets, split by commas; at most one mailto and one http(s).
 */
export function listUnsubscribe(header: string, post: string): ListUnsubscribe {
  const value = header.trim();
  if (value === "") return { Header: "", Links: [], Errors: "", HeaderPost: post };
  const links: string[] = [];
  const errors: string[] = [];
  const schemes = new Set<string>();
  for (const part of withoutComments(value).split(/>\s*,\s*</)) {
    const link = part.replace(/^<|>$/g, "");
    const scheme = /^(mailto|https?):\S+$/i.exec(link)?.[1]?.toLowerCase().replace("https", "http");
    if (scheme === undefined) errors.push(`"${link}" should be an http(s): or mailto: address without spaces`);
    else if (schemes.has(scheme)) errors.push(`"${link}" is a second ${scheme} address`);
    else links.push(link);
    if (scheme !== undefined) schemes.add(scheme);
  }
  if (!/^<[^]*>$/.test(withoutComments(value))) errors.push(`"${value}" should be enclosed in <>`);
  return { Header: value, Links: links, Errors: errors.join(", "), HeaderPost: post };
}

function withoutComments(value: string): string {
  return value.replace(/\([^()]*\)/g, "").trim();
}
