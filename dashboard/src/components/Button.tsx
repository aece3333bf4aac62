import type { ComponentProps } from "react";

const LOOKS = {
  primary: "bg-accent text-on-accent hover:bg-accent-hover",
  plain: "border border-line-strong bg-surface text-ink hover:bg-sunken",
  quiet: "text-accent hover:bg-sunken",
  danger: "border border-bad bg-surface text-bad hover:bg-bad-soft",
};

const SIZES = { normal: "min-h-9 px-3.5 py-1.5 text-sm", small: "min-h-7 px-2 py-0.5 text-xs" };

type Props = ComponentProps<"button"> & { look?: keyof typeof LOOKS; size?: keyof typeof SIZES };

/** Classes of a button, also for links that look like one. */
export function buttonLook(look: keyof typeof LOOKS = "plain", size: keyof typeof SIZES = "normal"): string {
  return (
    "inline-flex items-center justify-center gap-1.5 rounded-lg font-medium transition-colors " +
    `disabled:cursor-not-allowed disabled:opacity-60 ${LOOKS[look]} ${SIZES[size]}`
  );
}

export function Button({ look = "plain", size = "normal", className = "", type = "button", ...rest }: Props) {
  return <button type={type} className={`${buttonLook(look, size)} ${className}`} {...rest} />;
}
