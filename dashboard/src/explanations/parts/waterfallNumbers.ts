import { format } from "@/lib/format";

import type { Waterfall } from "../waterfall";

type Digits = Pick<Waterfall, "digits">;

/** A number that is given in units of its last digit. */
export function shown(units: number, { digits }: Digits): string {
  return format.fixed(units / 10 ** digits, digits);
}

/** The same with its sign. */
export function signed(units: number, { digits }: Digits): string {
  return format.fixed(units / 10 ** digits, digits, "exceptZero");
}
