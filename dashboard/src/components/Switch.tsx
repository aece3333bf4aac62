interface Props {
  /** What is on or off. */
  label: string;
  on: boolean;
  onChange: (on: boolean) => void;
  disabled?: boolean;
  /** The label is for screen readers alone. */
  bare?: boolean;
}

/** On or off, at once. */
export function Switch({ label, on, onChange, disabled = false, bare = false }: Props) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      aria-label={bare ? label : undefined}
      disabled={disabled}
      onClick={() => {
        onChange(!on);
      }}
      className="inline-flex min-h-7 items-center gap-2 rounded-lg text-sm disabled:cursor-not-allowed disabled:opacity-60"
    >
      <span
        aria-hidden="true"
        className={`flex h-6 w-10 items-center rounded-full border p-0.5 transition-colors ${
          on ? "justify-end border-accent bg-accent" : "justify-start border-line-strong bg-sunken"
        }`}
      >
        <span className={`size-4.5 rounded-full ${on ? "bg-on-accent" : "bg-line-strong"}`} />
      </span>
      {!bare && label}
    </button>
  );
}
