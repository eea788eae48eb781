import { Fatal } from "../platform/contract/failure.ts";
import type { Log } from "../platform/contract/ports.ts";
import { flow } from "../domain/flow.ts";
import { service } from "../platform/app/service.ts";
import { domainOf } from "./smtp/address.ts";
import { variables } from "./config.ts";
import { mailer } from "./rule.ts";
import { openMailClient } from "./smtp/client.ts";
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
    const mailClient = openMailClient({ smtp, maxConnections: concurrency, bounces: from.address, name: domain });
    root.own(mailClient);
    root.process(mailer);
    root.work(
      mailing({
        mailClient,
        render,
        lookUp: root.lookUp,
        flowWatermark: await root.flowWatermark(Object.values(flow), "notifications"),
        hasChoicesOf: await root.hasFolded(mailer.name, "preferences"),
        concurrency,
        clock: root.clock,
        chance: Math.random,
        branding: { productName: settings.PRODUCT_NAME, joinUrl: settings.JOIN_URL },
        sender: { from, domain },
      }),
    );
  },
});

/** Throws Fatal unless a user's choices and notifications are in the same lane. */
const checkPartitions = async (log: Pick<Log, "partitions">): Promise<void> => {
  const [choices, notifications] = [await log.partitions("preferences"), await log.partitions("notifications")];
  if (choices !== notifications)
    throw new Fatal(
      `notification.preferences has ${choices} partitions, notification.events ${notifications}; they must have the same number: while it is empty, delete notification.preferences and run \`ops topics --partitions ${notifications}\``,
    );
};
