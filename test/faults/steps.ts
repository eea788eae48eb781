import type { Strike } from "./processes.ts";

/** Every failpoint of every loop, in the order in which work passes them. */
export const steps: readonly (readonly [point: Strike["point"], who: string])[] = [
  ["folded", "conversations"],
  ["committed", "conversations"],
  ["published", ""],
  ["folded", "inboxes"],
  ["committed", "inboxes"],
  ["folded", "mailer"],
  ["committed", "mailer"],
  ["folded", "webhooks"],
  ["committed", "webhooks"],
  ["leased", "mail"],
  ["attempted", "mail"],
  ["leased", "webhooks"],
  ["answered", "webhooks"],
  ["attempted", "webhooks"],
];
