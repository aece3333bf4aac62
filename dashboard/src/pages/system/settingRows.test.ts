import { expect, test } from "vitest";

import { settingRows } from "./settingRows";

const SETTINGS = { port: 8000, reload_poll_s: 1, rules_poll_s: 2, rules: null, hosts: ["a", "b"] };

test("settings are found by words of their names and values", () => {
  expect(settingRows(SETTINGS, "")).toHaveLength(5);
  expect(settingRows(SETTINGS, "POLL rules")).toEqual([["rules_poll_s", "2"]]);
  expect(settingRows(SETTINGS, "reload_poll")).toEqual([["reload_poll_s", "1"]]);
  expect(settingRows(SETTINGS, "8000")).toEqual([["port", "8000"]]);
  expect(settingRows(SETTINGS, "hosts")).toEqual([["hosts", '["a","b"]']]);
  expect(settingRows(SETTINGS, "nothing")).toEqual([]);
});
