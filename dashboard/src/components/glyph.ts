const TONES = [
  "bg-accent-soft text-ink",
  "bg-good-soft text-good",
  "bg-warn-soft text-warn",
  "bg-bad-soft text-bad",
  "bg-sunken text-ink",
];

/** A letter and a colour for the most specific category; the same category always looks the same. */
export function glyphOf(categories: string[]): { letter: string; tone: string } {
  const name = categories.at(-1) ?? "";
  let sum = 0;
  for (const char of name) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 65_521;
  const [first = "?"] = name.toLocaleUpperCase();
  return { letter: first, tone: TONES[sum % TONES.length] ?? "bg-sunken text-ink" };
}
