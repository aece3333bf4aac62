import { expect, test } from "vitest";

import { featureLabel, groupLabel } from "./labels";

test("a feature of a source is named after it", () => {
  expect(featureLabel("content_tfidf_last_item")).toBe("Similar words: by the last item alone");
  expect(featureLabel("two_tower_gap")).toBe("Taste (two-tower): lead");
});

test("names that nobody gave words to stay as they are", () => {
  expect(groupLabel("next_item")).toBe("next_item");
  expect(featureLabel("next_item_score")).toBe("next_item_score");
  expect(groupLabel("price")).toBe("Price");
});
