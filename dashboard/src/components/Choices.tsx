import { useId } from "react";

interface Props<Value extends string> {
  label: string;
  /** The label is for screen readers alone. */
  bare?: boolean;
  value: Value;
  options: readonly { value: Value; label: string }[];
  onChange: (value: Value) => void;
}

/** One of a few that are all in sight. */
export function Choices<Value extends string>({
  label,
  bare = false,
  value,
  options,
  onChange,
}: Props<Value>) {
  const name = useId();
  return (
    <fieldset className="min-w-0">
      <legend className={bare ? "sr-only" : "mb-1 block text-xs font-medium text-muted"}>{label}</legend>
      <div className="flex flex-wrap gap-1.5">
        {options.map((option) => (
          <label
            key={option.value}
            className={
              "relative flex min-h-8 cursor-pointer items-center rounded-lg border px-3 py-1 text-sm " +
              "has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent " +
              (option.value === value
                ? "border-accent bg-accent-soft font-semibold"
                : "border-line-strong bg-surface hover:bg-sunken")
            }
          >
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => {
                onChange(option.value);
              }}
              // Over the whole of it, so that it is what is clicked.
              className="absolute inset-0 cursor-pointer appearance-none rounded-lg opacity-0"
            />
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
