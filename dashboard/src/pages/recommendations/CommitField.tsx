import type { ComponentProps } from "react";

import { TextField } from "@/components/Field";
import { useTyped } from "@/lib/useTyped";

type Props = Omit<ComponentProps<typeof TextField>, "value" | "onChange"> & {
  value: string;
  onCommit: (value: string) => void;
};

/** A text field whose value counts when it is left, or with Enter: not with every key. */
export function CommitField({ value, onCommit, ...rest }: Props) {
  const [typed, setTyped] = useTyped(value);
  const commit = () => {
    if (typed !== value) onCommit(typed);
  };
  return (
    <TextField
      {...rest}
      value={typed}
      onChange={(event) => {
        setTyped(event.target.value);
      }}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit();
      }}
    />
  );
}
