/** Plain words for the names that the API uses. What has none is shown as it is. */

import { sourceName } from "@/lib/sourceName";
import { t } from "@/strings/en";

/** Of a group of numbers: a source's, or a heading of the ranker's features. */
export function groupLabel(name: string): string {
  return t.why.groups[name] ?? sourceName(name);
}

export function kindLabel(kind: string): string {
  return t.why.kinds[kind] ?? kind;
}

export function ruleLabel(name: string): string {
  return t.why.rules.names[name] ?? name;
}

export function actionLabel(action: string | null): string {
  return action === null ? t.why.unknownAction : (t.why.actions[action] ?? action);
}

/** A feature of a source is called after the source and what it tells of its score. */
export function featureLabel(name: string): string {
  const own = t.why.featureNames[name];
  if (own !== undefined) return own;
  for (const [suffix, text] of Object.entries(t.why.featureSuffixes)) {
    if (!name.endsWith(`_${suffix}`)) continue;
    const source = name.slice(0, -suffix.length - 1);
    if (groupLabel(source) !== source) return `${groupLabel(source)}: ${text}`;
  }
  return name;
}
