/** What was measured when a bundle was made, as tables: the server gives it as the training wrote it. */

import { format } from "@/lib/format";
import { t } from "@/strings/en";

const words = t.system.metrics;

export interface MetricTable {
  columns: string[];
  rows: string[][];
}

/** Measures of one kind: single values by name, and tables. */
export interface MetricGroup {
  name: string;
  values: [name: string, value: string][];
  tables: (MetricTable & { name: string })[];
}

type Values = Record<string, unknown>;

const ACRONYMS = /\b(ndcg|mrr|map|auc|onnx|als|bpr|bm25|tfidf|ann|ips|rmse|mae|kl|l2)\b/gi;

/** A measure's name as people write it. */
export function metricName(key: string): string {
  const spaced = key.replaceAll("_", " ").replace(ACRONYMS, (word) => word.toUpperCase());
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** All measures, grouped by kind; what was tried for each source becomes one row a source. */
export function metricGroups(metrics: Values): MetricGroup[] {
  const alone: MetricGroup = { name: "", values: [], tables: [] };
  const groups = [alone];
  for (const [key, value] of Object.entries(metrics)) {
    if (key === "retrievers" && isRecord(value)) groups.push(sourcesGroup(key, value));
    else if (isRecord(value) || isRecords(value)) groups.push(groupOf(key, value));
    else alone.values.push([metricName(key), valueText(value)]);
  }
  return groups.filter(({ values, tables }) => values.length > 0 || tables.length > 0);
}

function groupOf(key: string, value: Values | Values[]): MetricGroup {
  const group: MetricGroup = { name: metricName(key), values: [], tables: [] };
  const add = (path: string[], inner: unknown) => {
    const name = path.map(metricName).join(" · ");
    if (isRecords(inner)) group.tables.push({ name, ...tableOf(inner) });
    else if (isRecord(inner))
      Object.entries(inner).forEach(([part, deeper]) => {
        add([...path, part], deeper);
      });
    else group.values.push([name, valueText(inner)]);
  };
  if (Array.isArray(value)) group.tables.push({ name: group.name, ...tableOf(value) });
  else
    Object.entries(value).forEach(([part, inner]) => {
      add([part], inner);
    });
  return group;
}

/** Every column that a row has; numbers as they are read best. */
export function tableOf(records: Values[]): MetricTable {
  const keys = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return {
    columns: keys.map(metricName),
    rows: records.map((record) => keys.map((key) => (key in record ? valueText(record[key]) : ""))),
  };
}

/** One row a source: what it reached, with which settings, and among how many. */
function sourcesGroup(key: string, sources: Values): MetricGroup {
  const rows: string[][] = [];
  const measures = new Set<string>();
  for (const [name, told] of Object.entries(sources)) {
    if (!isRecord(told)) continue;
    const measure = String(told["metric"] ?? "");
    const tried = isRecords(told["tried"]) ? told["tried"] : [];
    measures.add(measure);
    rows.push([
      metricName(name),
      valueText(best(tried, measure)),
      valueText(told["users"]),
      isRecord(told["chosen"]) ? settingsText(told["chosen"]) : "",
      format.count(tried.length),
    ]);
  }
  const measure = [...measures].map(metricName).join(", ");
  const columns = [words.source, measure, words.users, words.chosen, words.tried];
  return { name: metricName(key), values: [], tables: [{ name: metricName(key), columns, rows }] };
}

function best(tried: Values[], measure: string): unknown {
  const reached = tried
    .map((one) => one[measure])
    .filter((value): value is number => typeof value === "number");
  return reached.length > 0 ? Math.max(...reached) : null;
}

function settingsText(settings: Values): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${valueText(value)}`)
    .join(", ");
}

/** A single value; what is small is not rounded away. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return numberText(value);
  if (Array.isArray(value)) return value.map(valueText).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function numberText(value: number): string {
  if (Number.isInteger(value)) return format.count(value);
  const size = Math.abs(value);
  return size < 0.0001 ? value.toExponential(1) : format.decimal(value, size < 1 ? 4 : 2);
}

function isRecord(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRecords(value: unknown): value is Values[] {
  return Array.isArray(value) && value.length > 0 && value.every(isRecord);
}
