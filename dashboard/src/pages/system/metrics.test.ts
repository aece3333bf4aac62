import { expect, test } from "vitest";

import { metricGroups, metricName, valueText } from "./metrics";

test("names of measures are as people write them", () => {
  expect(metricName("validation_ndcg@10")).toBe("Validation NDCG@10");
  expect(metricName("neighbours_bm25")).toBe("Neighbours BM25");
  expect(metricName("onnx_differences")).toBe("ONNX differences");
});

test("small differences are not rounded to nothing", () => {
  expect(valueText(0.21592)).toBe("0.2159");
  expect(valueText(3.07e-7)).toBe("3.1e-7");
  expect(valueText(12345)).toBe("12,345");
  expect(valueText(2.7741)).toBe("2.77");
  expect(valueText(null)).toBe("–");
  expect(valueText([1, "a"])).toBe("1, a");
});

test("measures are grouped by kind, sources a row each, records a table", () => {
  const groups = metricGroups({
    "index_recall@100": 0.5,
    ranker: null,
    retrievers_skipped: {},
    onnx_differences: { query_tower: 2e-7 },
    retrievers: {
      als: {
        metric: "ndcg@10",
        users: 1000,
        chosen: { factors: 64, alpha: 20 },
        tried: [{ "ndcg@10": 0.1 }, { "ndcg@10": 0.25 }],
      },
      popularity: { metric: "ndcg@10", users: 1000, chosen: {}, tried: [] },
    },
    hybrid: {
      weights: { als: 0.5 },
      alpha_sweep: [
        { alpha: 0, mrr: 0.5 },
        { alpha: 1, extra: true },
      ],
    },
    training_curve: [{ epoch: 1 }],
  });
  expect(groups).toEqual([
    {
      name: "",
      values: [
        ["Index recall@100", "0.5"],
        ["Ranker", "–"],
      ],
      tables: [],
    },
    { name: "ONNX differences", values: [["Query tower", "2.0e-7"]], tables: [] },
    {
      name: "Retrievers",
      values: [],
      tables: [
        {
          name: "Retrievers",
          columns: ["Source", "NDCG@10", "Users", "Settings chosen", "Settings tried"],
          rows: [
            ["ALS", "0.25", "1,000", "factors 64, alpha 20", "2"],
            ["Popularity", "–", "1,000", "", "0"],
          ],
        },
      ],
    },
    {
      name: "Hybrid",
      values: [["Weights · ALS", "0.5"]],
      tables: [
        {
          name: "Alpha sweep",
          columns: ["Alpha", "MRR", "Extra"],
          rows: [
            ["0", "0.5", ""],
            ["1", "", "true"],
          ],
        },
      ],
    },
    {
      name: "Training curve",
      values: [],
      tables: [{ name: "Training curve", columns: ["Epoch"], rows: [["1"]] }],
    },
  ]);
});
