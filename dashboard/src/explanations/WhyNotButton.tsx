import { CircleQuestionMark } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/Button";
import type { ListRequest } from "@/lib/listRequest";
import { t } from "@/strings/en";

import { WhyNotWindow } from "./WhyNotWindow";

/** Opens the window that tells of any item how far it came on its way to the list. */
export function WhyNotButton({ request }: { request: ListRequest }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button
        onClick={() => {
          setOpen(true);
        }}
      >
        <CircleQuestionMark aria-hidden="true" className="size-4" />
        {t.why.whyNot.button}
      </Button>
      <WhyNotWindow
        open={open}
        onClose={() => {
          setOpen(false);
        }}
        request={request}
      />
    </>
  );
}
