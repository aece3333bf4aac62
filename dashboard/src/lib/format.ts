/** Numbers, money and times as the browser's language writes them. */

const locale = navigator.language;

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const clock = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

const numbers = kept((options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options));
const dates = kept((options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, options));

/** A page writes hundreds of numbers in few ways; to make a format takes longer than to use it. */
function kept<Options, Format>(make: (options: Options) => Format): (options: Options) => Format {
  const made = new Map<string, Format>();
  return (options) => {
    const name = JSON.stringify(options);
    const format = made.get(name) ?? make(options);
    made.set(name, format);
    return format;
  };
}

export const format = {
  count: (value: number): string => whole.format(value),
  compact: (value: number): string => short.format(value),
  percent: (share: number): string => percent.format(share),
  /** So many digits after the point at most. */
  decimal: (value: number, digits = 2): string => numbers({ maximumFractionDigits: digits }).format(value),
  /** With its sign, for what is added or taken away. */
  signed: (value: number, digits = 2): string =>
    numbers({ maximumFractionDigits: digits, signDisplay: "exceptZero" }).format(value),
  /** With exactly so many digits after the point, so that numbers under one another line up and add up. */
  fixed: (value: number, digits: number, signDisplay: "auto" | "exceptZero" = "auto"): string =>
    numbers({
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      signDisplay,
    }).format(value),
  /** Of any size: so many digits that count. */
  significant: (value: number, digits = 3, signDisplay: "auto" | "exceptZero" = "auto"): string =>
    numbers({ maximumSignificantDigits: digits, signDisplay }).format(value),
  /** A share as percent, of any size: so many digits that count. */
  significantShare: (share: number, digits = 3, signDisplay: "auto" | "exceptZero" = "auto"): string =>
    numbers({ style: "percent", maximumSignificantDigits: digits, signDisplay }).format(share),
  money: (value: number, currency: string | null): string =>
    numbers(
      currency ? { style: "currency", currency } : { minimumFractionDigits: 2, maximumFractionDigits: 2 },
    ).format(value),
  day: (time: string): string => day.format(new Date(time)),
  time: (time: string): string => moment.format(new Date(time)),
  /** So much of a time as the options say. */
  date: (time: string, options: Intl.DateTimeFormatOptions): string => dates(options).format(new Date(time)),
  /** The time of day. */
  clock: (time: string | number): string => clock.format(new Date(time)),
  /** What a language is called; "en_GB" and "en-GB" are the same one. */
  language: (code: string): string => {
    try {
      return new Intl.DisplayNames(locale, { type: "language" }).of(code.replace("_", "-")) ?? code;
    } catch {
      return code;
    }
  },
  ms: (value: number): string => `${numbers({ maximumSignificantDigits: 3 }).format(value)} ms`,
};
