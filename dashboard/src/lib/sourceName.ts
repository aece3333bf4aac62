import { t } from "@/strings/en";

/** What a source or model is called on pages; one from outside of the program goes by its own name. */
export function sourceName(name: string): string {
  return t.sources[name] ?? name;
}
