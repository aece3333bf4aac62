import { useEffect, type ComponentProps } from "react";

import { useTyped } from "@/lib/useTyped";

import { TextField } from "./Field";

const STANDS_STILL_MS = 150;

type Props = Omit<ComponentProps<typeof TextField>, "value" | "onChange"> & {
  value: string;
  /** Told what was typed as soon as it stands still. */
  onSearch: (typed: string) => void;
};

/** A field that searches while a person types. */
export function SearchField({ value, onSearch, ...rest }: Props) {
  const [typed, setTyped] = useTyped(value);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => {
      onSearch(typed);
    }, STANDS_STILL_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [typed, value, onSearch]);
  return (
    <TextField
      type="search"
      autoComplete="off"
      spellCheck={false}
      value={typed}
      onChange={(event) => {
        setTyped(event.target.value);
      }}
      {...rest}
    />
  );
}
