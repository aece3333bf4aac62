/** Settings in whose name or value each of the words occurs. */
export function settingRows(settings: Record<string, unknown>, typed: string): [string, string][] {
  const wanted = typed
    .toLowerCase()
    .split(/[\s_]+/)
    .filter(Boolean);
  return Object.entries(settings)
    .map(([name, value]): [string, string] => [name, settingText(value)])
    .filter(([name, value]) => {
      const said = `${name} ${value}`.toLowerCase();
      return wanted.every((word) => said.includes(word));
    });
}

function settingText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
