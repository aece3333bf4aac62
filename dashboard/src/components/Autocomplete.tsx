import { useQuery } from "@tanstack/react-query";
import { useCombobox } from "downshift";
import { useState, type ReactNode } from "react";

import { useDebounced } from "@/lib/useDebounced";
import { useTyped } from "@/lib/useTyped";
import { t } from "@/strings/en";

import { failureText } from "./failureText";

const MENU = "absolute z-30 mt-1 w-full min-w-56 rounded-lg border border-line bg-surface py-1 shadow-lg";

interface Props<T> {
  label: string;
  placeholder?: string;
  /** What the field shows; a choice may leave it, or clear it. */
  value: string;
  /** Names the query in the cache. */
  name: string;
  suggest: (typed: string, signal: AbortSignal) => Promise<T[]>;
  textOf: (suggestion: T) => string;
  show: (suggestion: T) => ReactNode;
  onChoose: (suggestion: T) => void;
  /** Enter on what was typed, where no suggestion is chosen. */
  onSubmit?: (typed: string) => void;
  clearAfterChoice?: boolean;
}

/** A field that suggests while a person types (ARIA combobox). */
export function Autocomplete<T>(props: Props<T>) {
  const {
    label,
    placeholder,
    value,
    name,
    suggest,
    textOf,
    show,
    onChoose,
    onSubmit,
    clearAfterChoice = false,
  } = props;
  const [typed, setTyped] = useTyped(value);
  const asked = useDebounced(typed, 80);
  const [wanted, setWanted] = useState(false);
  const query = useQuery({
    queryKey: ["suggestions", name, asked],
    queryFn: ({ signal }) => suggest(asked, signal),
    enabled: wanted,
    placeholderData: (before) => before,
  });
  const suggestions = query.data ?? [];
  const box = useCombobox<T>({
    items: suggestions,
    inputValue: typed,
    selectedItem: null,
    itemToString: (item) => (item === null ? "" : textOf(item)),
    onIsOpenChange: ({ isOpen }) => {
      setWanted(isOpen);
    },
    onSelectedItemChange: ({ selectedItem }) => {
      if (selectedItem === null) return;
      setTyped(clearAfterChoice ? "" : textOf(selectedItem));
      onChoose(selectedItem);
    },
    stateReducer: (_, { type, changes }) => {
      // What was typed stays when the field is left; downshift would put the last choice in its place.
      if (type === useCombobox.stateChangeTypes.InputBlur)
        return { ...changes, inputValue: typed, selectedItem: null };
      return changes;
    },
  });
  const open = box.isOpen;
  return (
    <div className="relative min-w-0">
      <label {...box.getLabelProps()} className="mb-1 block text-xs font-medium text-muted">
        {label}
      </label>
      <input
        {...box.getInputProps({
          placeholder,
          autoComplete: "off",
          spellCheck: false,
          onChange: (event) => {
            setTyped(event.currentTarget.value);
          },
          onKeyDown: (event) => {
            if (event.key === "Enter" && onSubmit && box.highlightedIndex < 0) {
              event.preventDefault();
              box.closeMenu();
              onSubmit(typed);
              if (clearAfterChoice) setTyped("");
            }
          },
        })}
        className="min-h-9 w-full rounded-lg border border-line-strong bg-surface px-3 py-1.5 text-sm placeholder:text-muted"
      />
      <ul
        {...box.getMenuProps({ "aria-label": label })}
        className={open && suggestions.length > 0 ? `${MENU} max-h-72 overflow-y-auto` : "hidden"}
      >
        {open &&
          suggestions.map((suggestion, index) => (
            <li
              key={`${textOf(suggestion)} ${index}`}
              {...box.getItemProps({ item: suggestion, index })}
              className={`cursor-pointer px-3 py-1.5 text-sm ${index === box.highlightedIndex ? "bg-accent-soft" : ""}`}
            >
              {show(suggestion)}
            </li>
          ))}
      </ul>
      {open && suggestions.length === 0 && <Nothing error={query.error} waiting={query.isFetching} />}
    </div>
  );
}

/** In the place of suggestions, where there are none. */
function Nothing({ error, waiting }: { error: Error | null; waiting: boolean }) {
  const text = error ? failureText(error).title : waiting ? t.states.loading : t.states.noSuggestion;
  return (
    <p role="status" className={`${MENU} px-3 text-sm text-muted`}>
      {text}
    </p>
  );
}
