import { useId, type ComponentProps, type ReactNode } from "react";

const CONTROL =
  "w-full min-h-9 rounded-lg border border-line-strong bg-surface px-3 py-1.5 text-sm text-ink placeholder:text-muted " +
  "disabled:opacity-60 aria-invalid:border-bad";

interface Around {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
}

interface Shown extends Around {
  id: string;
  children: ReactNode;
}

function Frame({ id, label, hint, error, children }: Shown) {
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block text-xs font-medium text-muted">
        {label}
      </label>
      {children}
      {hint && !error && (
        <p id={`${id}-note`} className="mt-1 text-xs text-muted">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-note`} className="mt-1 text-xs text-bad">
          {error}
        </p>
      )}
    </div>
  );
}

function described(id: string, { hint, error }: Around) {
  return {
    id,
    "aria-invalid": error ? true : undefined,
    "aria-describedby": hint || error ? `${id}-note` : undefined,
  };
}

/** A labelled text field. */
export function TextField({ label, hint, error, ...rest }: Around & Omit<ComponentProps<"input">, "id">) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <input {...described(id, { label, hint, error })} className={CONTROL} {...rest} />
    </Frame>
  );
}

/** A labelled field of several lines. */
export function TextArea({ label, hint, error, ...rest }: Around & Omit<ComponentProps<"textarea">, "id">) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <textarea {...described(id, { label, hint, error })} className={CONTROL} {...rest} />
    </Frame>
  );
}

type SelectProps = Around &
  Omit<ComponentProps<"select">, "id" | "onChange"> & {
    options: { value: string; label: string }[];
    onChange: (value: string) => void;
  };

/** A labelled choice among few. */
export function SelectField({ label, hint, error, options, onChange, ...rest }: SelectProps) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <select
        {...described(id, { label, hint, error })}
        className={CONTROL}
        onChange={(event) => {
          onChange(event.target.value);
        }}
        {...rest}
      >
        {options.map(({ value, label: text }) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </Frame>
  );
}
