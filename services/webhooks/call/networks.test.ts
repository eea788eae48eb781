import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mayCall, networks, urlProblem } from "./networks.ts";

const refused = {
  loopback: ["127.0.0.1", "127.255.255.254", "::1"],
  private: ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fc00::1"],
  "link-local": ["169.254.0.1", "fe80::1", "fe80::1%eth0", "fec0::1"],
  metadata: ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"],
  shared: ["100.64.0.1", "100.127.255.255"],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::1"],
  "unspecified or broadcast": ["0.0.0.0", "0.1.2.3", "255.255.255.255", "::"],
  "documentation or reserved": [
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "240.0.0.1",
    "2001:db8::1",
    "3fff::1",
  ],
  "IPv4 inside IPv6": [
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::1",
    "2001:0:7f00:1::1",
  ],
  "no address": ["", "localhost", "example.com", "256.1.1.1", "1::2::3"],
};
const open = ["8.8.8.8", "93.184.216.34", "100.63.255.255", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450:4001::1"];

test.each(Object.entries(refused))("an address may not be called if it is %s", (_, addresses) => {
  for (const address of addresses) expect(mayCall(address, []), address).toBe(false);
});

test("a public address may be called", () => {
  for (const address of open) expect(mayCall(address, []), address).toBe(true);
});

test("an allowed network may be called, and no address beside it", () => {
  const allowed = networks(["10.1.0.0/16", "fd00:1::/32", "127.0.0.1/32"]);
  for (const address of ["10.1.2.3", "fd00:1::9", "127.0.0.1", "8.8.8.8"]) expect(mayCall(address, allowed)).toBe(true);
  for (const address of ["10.2.0.1", "fd00:2::1", "127.0.0.2", "::1", "::ffff:10.1.2.3"])
    expect(mayCall(address, allowed), address).toBe(false);
});

describe("the URL of an endpoint", () => {
  test.each([
    "https://example.com/hook?token=1",
    "http://example.com:8080/",
    "https://8.8.8.8/",
    "https://[2606:4700::1]:444/",
  ])("may be %s", (url) => expect(urlProblem(url, [])).toBeNull());

  test.each([
    ["", /absolute/],
    ["/hook", /absolute/],
    ["ftp://example.com/", /https nor http/],
    ["file:///etc/passwd", /https nor http/],
    ["data:text/plain,hi", /https nor http/],
    ["https://ada:secret@example.com/", /user name or password/],
    ["https://ada@example.com/", /user name or password/],
    ["http://127.0.0.1/", /127\.0\.0\.1, which is not a public address/],
    ["http://[::1]/", /::1, which/],
    ["http://0x7f.1/", /127\.0\.0\.1, which/],
    ["http://2130706433/", /127\.0\.0\.1, which/],
    ["http://017700000001/", /127\.0\.0\.1, which/],
    ["http://127.1/", /127\.0\.0\.1, which/],
    ["http://127.0.0.1./", /127\.0\.0\.1, which/],
    ["http://１２７.0.0.1/", /127\.0\.0\.1, which/],
    ["http://[::ffff:127.0.0.1]/", /which is not a public address/],
    ["http://[64:ff9b::10.0.0.1]/", /which is not a public address/],
    ["http://169.254.169.254/latest/meta-data/", /which is not a public address/],
    ["http://0/", /0\.0\.0\.0, which/],
    [`https://example.com/${"x".repeat(2_100)}`, /longer/],
  ])("may not be %s", (url, problem) => expect(urlProblem(url, [])).toMatch(problem));

  test("may have an allowed address, in any notation", () => {
    const allowed = networks(["127.0.0.0/8", "::1/128"]);
    for (const url of ["http://127.0.0.1:3000/", "http://[::1]/", "http://2130706433/"])
      expect(urlProblem(url, allowed)).toBeNull();
  });

  test("may not have an address in 10/8, 127/8 or 169.254/16, in any notation", () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const start = fc.constantFrom([10], [127], [169, 254]);
    fc.assert(
      fc.property(start, octet, octet, octet, fc.constantFrom(10, 16, 8), (head, b, c, d, base) => {
        const [o1 = 0, o2 = 0, o3 = 0, o4 = 0] = [...head, b, c, d];
        const number = ((o1 * 256 + o2) * 256 + o3) * 256 + o4;
        const text = base === 16 ? `0x${number.toString(16)}` : base === 8 ? `0${number.toString(8)}` : String(number);
        expect(urlProblem(`http://${text}/`, [])).toMatch(/which is not a public address/);
        expect(urlProblem(`http://[::ffff:${o1}.${o2}.${o3}.${o4}]/`, [])).toMatch(/which is not a public address/);
      }),
    );
  });
});
