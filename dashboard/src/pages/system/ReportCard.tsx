import { useCallback, useState } from "react";

import { ApiError } from "@/api/client";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { EmptyState } from "@/components/EmptyState";
import { QueryView } from "@/components/QueryView";
import { t } from "@/strings/en";

import { useReport } from "./queries";
import { showReport } from "./reportDocument";

const words = t.system.report;

/** The page of the bundle's evaluation. */
export function ReportCard() {
  const [wanted, setWanted] = useState(false);
  const report = useReport(wanted);
  const missing = report.error instanceof ApiError && report.error.status === 404 ? report.error : null;
  return (
    <Card
      title={words.title}
      action={
        <Button
          aria-expanded={wanted}
          onClick={() => {
            setWanted(!wanted);
          }}
        >
          {wanted ? words.hide : words.show}
        </Button>
      }
    >
      {!wanted ? (
        <p className="text-sm text-muted">{words.lead}</p>
      ) : missing ? (
        <EmptyState title={words.none}>{missing.detail}</EmptyState>
      ) : (
        <QueryView query={report}>{(html) => <ReportFrame html={html} />}</QueryView>
      )}
    </Card>
  );
}

function ReportFrame({ html }: { html: string }) {
  const fill = useCallback(
    (frame: HTMLIFrameElement | null) => {
      if (frame?.contentDocument) showReport(frame.contentDocument, html);
    },
    [html],
  );
  return (
    <iframe
      ref={fill}
      title={words.title}
      // Of this origin, so that the page can fill it; without scripts, since none are allowed.
      sandbox="allow-same-origin"
      className="h-[80vh] w-full rounded-lg border border-line"
    />
  );
}
