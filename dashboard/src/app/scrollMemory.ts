import { useEffect } from "react";
import { useLocation } from "wouter";

const positions = new Map<string, number>();
const PATIENCE_MS = 1500;

/** Back and Forward lead to where a page was left, as soon as it is long enough again; a new page begins at its top. */
export function useScrollMemory(): void {
  const [path] = useLocation();

  useEffect(() => {
    history.scrollRestoration = "manual";
    let frame = 0;
    const remember = () => positions.set(location.href, window.scrollY);
    const restore = () => {
      cancelAnimationFrame(frame);
      const wanted = positions.get(location.href) ?? 0;
      const end = performance.now() + PATIENCE_MS;
      window.removeEventListener("scroll", remember);
      const step = () => {
        window.scrollTo(0, wanted);
        if (Math.abs(window.scrollY - wanted) > 1 && performance.now() < end)
          frame = requestAnimationFrame(step);
        else window.addEventListener("scroll", remember, { passive: true });
      };
      frame = requestAnimationFrame(step);
    };
    window.addEventListener("scroll", remember, { passive: true });
    window.addEventListener("popstate", restore);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener("scroll", remember);
      window.removeEventListener("popstate", restore);
    };
  }, []);

  useEffect(() => {
    if (!positions.has(location.href)) window.scrollTo(0, 0);
  }, [path]);
}
