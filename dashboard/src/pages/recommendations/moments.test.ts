import { expect, test } from "vitest";

import { localField, momentOf } from "./moments";

test("a moment comes back from the field it is shown in", () => {
  for (const moment of ["2024-05-01T12:00:00.000Z", "2024-12-31T23:59:00.000Z", "1999-02-03T00:05:00.000Z"])
    expect(momentOf(localField(moment))).toBe(moment);
});

test("a field shows local time", () => {
  const local = new Date(2024, 2, 9, 8, 7);
  expect(localField(local.toISOString())).toBe("2024-03-09T08:07");
});

test("what is no moment is none", () => {
  expect([momentOf(""), momentOf("soon"), localField(""), localField("soon")]).toEqual(["", "", "", ""]);
});
