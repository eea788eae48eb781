import { expect, test } from "vitest";
import { progress } from "./maven.ts";
import { withoutPassword } from "./place.ts";
import { voice } from "./voice.ts";

test("a terminal has one moving line, which makes way for those that stay", () => {
  const drawn: string[] = [];
  const screen = { isTTY: true, columns: 60, write: (text: string) => drawn.push(text) > 0 };
  const { say, moving, still } = voice((line) => drawn.push(`${line}\n`), screen);
  moving("kafka", "1 MB");
  say("postgres: up");
  still("kafka");
  say("kafka: up");
  expect(drawn).toEqual([
    "\r\u001b[Kkafka: 1 MB",
    "\r\u001b[K",
    "postgres: up\n",
    "\r\u001b[Kkafka: 1 MB",
    "\r\u001b[K",
    "kafka: up\n",
  ]);
});

test("elsewhere a moving line is printed now and then", () => {
  const said: string[] = [];
  const { moving } = voice((line) => said.push(line), { isTTY: false, columns: 0, write: () => true });
  for (let megabytes = 1; megabytes < 100; megabytes++) moving("kafka", `${megabytes} MB`);
  expect(said).toEqual(["kafka: 1 MB"]);
});

test("Maven's progress is the megabytes of large files, else the last file's name", () => {
  expect(progress("Progress (1): 4.1/22 kB\rProgress (2): 0.9/109 MB | 1.0/6.7 MB\r")).toBe("0.9/109 MB | 1.0/6.7 MB");
  expect(progress("Downloading from central: https://host/maven2/a/b/b-1.jar\nProgress (1): 4.1/22 kB\r")).toBe(
    "b-1.jar",
  );
  expect(progress("[INFO] Unpacking /m2/x.tar.gz to /y")).toBe("unpacking");
  expect(progress("[INFO] Scanning for projects...")).toBeUndefined();
});

test("no password is ever printed", () => {
  expect(withoutPassword("postgres://ada:s3cret@db:5432/x")).toBe("postgres://ada@db:5432/x");
  expect(withoutPassword("http://127.0.0.1:8081/apis")).toBe("http://127.0.0.1:8081/apis");
});
