import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Fatal, messageOf } from "../../platform/contract/failure.ts";
import type { Sources } from "./render.ts";

/** Folder of the mail templates, in the repository and in the image. */
const DIRECTORY = join(import.meta.dirname, "..", "..", "..", "templates", "mail");

/** Reads the templates once, at the start. Throws Fatal. */
export const readTemplates = async (directory = DIRECTORY): Promise<Sources> => {
  const read = async (name: string): Promise<string> => readFile(join(directory, `${name}.liquid`), "utf8");
  try {
    const [subject, text, html] = await Promise.all([read("subject"), read("text"), read("html")]);
    return { subject, text, html };
  } catch (error) {
    throw new Fatal(`the mail templates in ${directory} can't be read: ${messageOf(error)}`);
  }
};
