/** Why a verdict is what it is, in sentences. */

import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { differenceText, periodDay, signedShare } from "./numbers";
import type { Reason } from "./queries";

const words = t.experiments.reasons;

/** A reason as a sentence; one that this page does not know yet is shown by its name. */
export function reasonText({ code, numbers = {} }: Reason): string {
  const number = (name: string) => Number(numbers[name] ?? Number.NaN);
  const count = (name: string) => format.count(number(name));
  const share = (name: string) => format.percent(number(name));
  const metric = String(numbers["metric"] ?? "");
  const named = t.experiments.metrics[metric] ?? metric;
  const between = (write: (value: number) => string) =>
    Number.isFinite(number("low")) && Number.isFinite(number("high"))
      ? words.between(write(number("low")), write(number("high")))
      : "";
  const asDifference = (value: number) => differenceText(metric, value);
  const day = periodDay(number("day"));
  switch (code) {
    case "no_users":
      return words.noUsers;
    case "few_users":
      return words.fewUsers(String(numbers["variant"]), count("users"), count("least"));
    case "uneven_split":
      return words.unevenSplit(format.significant(number("p")));
    case "users_in_several_variants":
      return words.severalVariants(count("users"), share("share"), share("allowed"));
    case "log_too_short":
      return words.logTooShort(
        format.time(new Date(1000 * number("kept_since")).toISOString()),
        format.time(new Date(1000 * number("started_at")).toISOString()),
      );
    case "undelivered":
      return words.undelivered(String(numbers["variant"]), count("lists"), share("share"));
    case "few_cases":
      return words.fewCases(named, count("users"), count("least"));
    case "primary_better":
      return words.better(named, asDifference(number("difference")), between(asDifference));
    case "primary_worse":
      return words.worse(named, asDifference(number("difference")), between(asDifference));
    case "primary_open":
      return words.open(named, between(asDifference));
    case "primary_turned":
      return words.turned(named, day, between(asDifference));
    case "interval_open_again":
      return words.openAgain(named, day, between(asDifference));
    case "guardrail_open":
      return words.guardOpen(named, share("most"), between(signedShare));
    case "guardrail_kept":
      return words.guardKept(named, share("most"), between(signedShare));
    case "guardrail_broken":
      return words.guardBroken(named, share("most"), between(signedShare));
    case "guardrail_was_broken":
      return words.guardWasBroken(named, day);
    case "guardrail_none_seen":
      return words.guardNoneSeen(named);
    case "guardrail_not_comparable":
      return words.guardNotComparable(named);
    default:
      return code;
  }
}
