import { useState, type ComponentProps } from "react";

import { TextField } from "@/components/Field";

type Props = Omit<ComponentProps<typeof TextField>, "value" | "onChange"> & {
  value: string;
  onCommit: (value: string) => void;
};

/** A text field whose value counts when it is left, or with Enter: not with every key. */
export function CommitField({ value, onCommit, ...rest }: Props) {
  const [typed, setTyped] = useState(value);
  const [shown, setShown] = useState(value);
  if (shown !== value) {
    setShown(value);
    setTyped(value);
  }
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
