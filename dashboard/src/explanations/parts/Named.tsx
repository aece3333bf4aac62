/** A name of the API in plain words, with the name itself in small print where it is another. */
export function Named({ label, name }: { label: string; name: string }) {
  return (
    <span className="min-w-0">
      {label}
      {label !== name && (
        <>
          {" "}
          <span className="text-xs font-normal [overflow-wrap:anywhere] text-muted">{name}</span>
        </>
      )}
    </span>
  );
}
