import { expect, test } from "vitest";

import { mayLoad } from "./imageHosts";

const page = new URL("http://127.0.0.1:8000/ui/items");
const secure = new URL("https://shop.example/ui/");
const hosts = ["images.example.com", "*.cdn.example", "localhost:9000"];

test.each([
  ["https://images.example.com/1.jpg", true],
  ["http://images.example.com/1.jpg", true],
  ["https://images.example.com:8443/1.jpg", false],
  ["https://other.example.com/1.jpg", false],
  ["https://a.b.cdn.example/1.jpg", true],
  ["https://cdn.example/1.jpg", false],
  ["https://evilcdn.example/1.jpg", false],
  ["http://localhost:9000/1.jpg", true],
  ["/pictures/1.jpg", true],
  ["http://[", false],
  ["javascript:alert(1)", false],
  ["data:image/png;base64,AAAA", false],
])("%s may be loaded: %s", (image, expected) => {
  expect(mayLoad(image, hosts, page)).toBe(expected);
});

test("a secure page loads no picture over plain HTTP", () => {
  expect(mayLoad("http://images.example.com/1.jpg", hosts, secure)).toBe(false);
  expect(mayLoad("https://images.example.com/1.jpg", hosts, secure)).toBe(true);
});

test("without a host named, only this server's own pictures are loaded", () => {
  expect(mayLoad("https://images.example.com/1.jpg", [], page)).toBe(false);
  expect(mayLoad("http://127.0.0.1:8000/1.jpg", [], page)).toBe(true);
});
