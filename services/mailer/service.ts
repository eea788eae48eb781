import { Fatal } from "../platform/contract/failure.ts";
import type { Log } from "../platform/contract/ports.ts";
import { flow } from "../domain/flow.ts";
import { service } from "../platform/app/service.ts";
import { domainOf } from "./smtp/address.ts";
import { variables } from "./config.ts";
import { mailer } from "./rule.ts";
import { openPost } from "./smtp/client.ts";
import { renderer } from "./content/render.ts";
import { smtpOf } from "./smtp/url.ts";
import { readTemplates } from "./content/templates.ts";
import { mailing } from "./work.ts";

/** Turns notifications into letters, and sends them. */
export const mailerService = service({
  name: "mailer",
  variables,
  async start(root, settings) {
    await checkPartitions(root.log);
    const from = settings.MAIL_FROM;
    const domain = settings.MAIL_DOMAIN ?? new URL(`http://${domainOf(from.address)}`).hostname; // in ASCII
    const render = renderer(await readTemplates());
    const concurrency = settings.MAIL_CONCURRENCY;
    const smtp = smtpOf(settings.SMTP_URL);
    const post = openPost({ smtp, maxConnections: concurrency, bounces: from.address, name: domain });
    root.own(post);
    root.process(mailer);
    root.work(
      mailing({
        post,
        render,
        lookUp: root.lookUp,
        pace: await root.flowWatermark(Object.values(flow), "notifications"),
        hasChoicesOf: await root.hasFolded(mailer.name, "preferences"),
        concurrency,
        clock: root.clock,
        chance: Math.random,
        setting: { productName: settings.PRODUCT_NAME, joinUrl: settings.JOIN_URL },
        sending: { from, domain },
      }),
    );
  },
});

/** A choice lies in the lane of its user, where the notifications to them are read. */
const checkPartitions = async (log: Pick<Log, "partitions">): Promise<void> => {
  const [choices, notifications] = [await log.partitions("preferences"), await log.partitions("notifications")];
  if (choices !== notifications)
    throw new Fatal(
      `notification.preferences has ${choices} partitions, notification.events ${notifications}; they must have the same number: while it is empty, delete notification.preferences and run \`ops topics --partitions ${notifications}\``,
    );
};
