import { useQuery } from "@tanstack/react-query";

/** What the shop says of this page: see `ui_image_hosts` and `currency` among the server's settings. */
export interface UiSettings {
  /** Hosts that pictures of items may come from; the server's Content-Security-Policy names the same. */
  image_hosts: string[];
  /** ISO 4217 code of the catalogue's prices; null: nobody said. */
  currency: string | null;
}

const UNTOLD: UiSettings = { image_hosts: [], currency: null };

export function useUiSettings(): UiSettings {
  const { data } = useQuery({
    queryKey: ["ui-settings"],
    queryFn: async () => {
      const response = await fetch("/ui/settings.json");
      return response.ok ? ((await response.json()) as UiSettings) : UNTOLD;
    },
    staleTime: Infinity,
    retry: false,
  });
  return data ?? UNTOLD;
}
