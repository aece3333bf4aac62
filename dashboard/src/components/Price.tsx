import { useUiSettings } from "@/api/uiSettings";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

/** A price in the catalogue's currency. */
export function Price({ value }: { value: number | null | undefined }) {
  const { currency } = useUiSettings();
  if (value === null || value === undefined) return <span className="text-muted">{t.item.noPrice}</span>;
  return <>{format.money(value, currency)}</>;
}
