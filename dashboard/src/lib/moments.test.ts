import { expect, test } from "vitest";

import { localField, momentOf } from "./moments";

test("a moment comes back from the field it is shown in", () => {
  for (const moment of ["2024-05-01T12:00:00Z", "2024-12-31T23:59:07Z", "1999-02-03T00:05:00Z"])
    expect(momentOf(localField(moment))).toBe(moment);
});

test("a field shows local time, with seconds where there are any", () => {
  expect(localField(new Date(2024, 2, 9, 8, 7).toISOString())).toBe("2024-03-09T08:07");
  expect(localField(new Date(2024, 2, 9, 8, 7, 5).toISOString())).toBe("2024-03-09T08:07:05");
});

test("what is no moment is none", () => {
  expect([momentOf(""), momentOf("soon"), localField(""), localField("soon"), localField(null)]).toEqual([
    "",
    "",
    "",
    "",
    "",
  ]);
});
