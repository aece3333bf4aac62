import { RefreshCw } from "lucide-react";
import { Component, type ReactNode } from "react";

import { Button } from "@/components/Button";
import { PageHeading } from "@/components/PageHeading";
import { t } from "@/strings/en";

interface Props {
  children: ReactNode;
}

/** In the place of a page that broke, or that could not be fetched: what can be done, with the navigation beside it. */
export class Boundary extends Component<Props, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <div data-state="broken">
        <PageHeading title={t.broken.title} lead={t.broken.text} />
        <Button
          look="primary"
          onClick={() => {
            location.reload();
          }}
        >
          <RefreshCw aria-hidden="true" className="size-4" />
          {t.broken.reload}
        </Button>
      </div>
    );
  }
}
