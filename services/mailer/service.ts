import { service } from "../runtime/service.ts";
import { domainOf } from "./address.ts";
import { variables } from "./config.ts";
import { mailer as processor } from "./letter.ts";
import { openPost } from "./post.ts";
import { renderer } from "./render.ts";
import { smtpOf } from "./smtp.ts";
import { readTemplates } from "./templates.ts";
import { mailing } from "./work.ts";

/** Mails to those who missed something: letters from notifications, and their sending. */
export const mailer = service({
  name: "mailer",
  variables,
  async start(root, settings) {
    const from = settings.MAIL_FROM;
    const domain = settings.MAIL_DOMAIN ?? new URL(`http://${domainOf(from.address)}`).hostname; // in ASCII
    const render = renderer(await readTemplates());
    const concurrency = settings.MAIL_CONCURRENCY;
    const smtp = smtpOf(settings.SMTP_URL);
    const post = openPost({ smtp, maxConnections: concurrency, bounces: from.address, name: domain });
    root.own(post);
    root.process(processor, () => undefined);
    root.work(
      mailing({
        post,
        render,
        concurrency,
        clock: root.clock,
        chance: Math.random,
        setting: { productName: settings.PRODUCT_NAME, joinUrl: settings.JOIN_URL },
        sending: { from, domain },
      }),
    );
  },
});
