import { useEffect, type ElementType, type ReactNode } from "react";

let locks = 0;

interface Props {
  as?: ElementType;
  children?: ReactNode;
  enabled?: boolean;
  allowPinchZoom?: boolean;
  shards?: unknown;
}

/** Keeps the page behind a window from scrolling, in place of react-remove-scroll (see vite.config.ts). */
export function RemoveScroll({
  as: Container = "div",
  enabled = true,
  allowPinchZoom,
  shards,
  ...rest
}: Props) {
  void allowPinchZoom;
  void shards;
  useEffect(() => {
    if (!enabled) return;
    locks += 1;
    document.documentElement.classList.add("scroll-locked");
    return () => {
      locks -= 1;
      if (locks === 0) document.documentElement.classList.remove("scroll-locked");
    };
  }, [enabled]);
  return <Container {...rest} />;
}
