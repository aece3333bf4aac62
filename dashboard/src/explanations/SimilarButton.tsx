import { Layers } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/Button";
import { t } from "@/strings/en";

import { SimilarWindow } from "./SimilarWindow";

/** Opens the window of what is similar to an item. */
export function SimilarButton({ itemId, title }: { itemId: string; title: string | null }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button
        size="small"
        aria-label={t.why.similar.buttonOf(title ?? itemId)}
        onClick={() => {
          setOpen(true);
        }}
      >
        <Layers aria-hidden="true" className="size-3.5" />
        {t.why.similar.button}
      </Button>
      {/* Lists have many of these buttons: a window is made when it is wanted. */}
      {open && (
        <SimilarWindow
          open
          onClose={() => {
            setOpen(false);
          }}
          itemId={itemId}
          title={title}
        />
      )}
    </>
  );
}
