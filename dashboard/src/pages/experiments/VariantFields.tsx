import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { SelectField, TextField } from "@/components/Field";
import { t } from "@/strings/en";

import { emptyVariant, type Draft, type VariantDraft } from "./draft";

const words = t.experiments.form;
const MOST = 10;

interface Props {
  variants: VariantDraft[];
  mode: Draft["mode"];
  complaints: Record<string, string>;
  onChange: (variants: VariantDraft[]) => void;
}

/** The variants: what each is called, how many users it gets, and what is different of its lists. */
export function VariantFields({ variants, mode, complaints, onChange }: Props) {
  const change = (place: number, some: Partial<VariantDraft>) => {
    onChange(variants.map((variant, other) => (other === place ? { ...variant, ...some } : variant)));
  };
  return (
    <Card title={t.experiments.variants}>
      <div className="space-y-6">
        {variants.map((variant, place) => (
          <fieldset key={place} className="min-w-0 border-b border-line pb-5 last:border-0 last:pb-0">
            <legend className="mb-2 text-sm font-medium">
              {place === 0 ? t.experiments.control : words.variant(place)}
            </legend>
            <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
              <One {...{ variant, place, mode, complaints, change }} />
            </div>
            {variants.length > 2 && place > 0 && (
              <Button
                look="quiet"
                size="small"
                className="mt-2"
                onClick={() => {
                  onChange(variants.filter((_, other) => other !== place));
                }}
              >
                {words.removeVariant(variant.name)}
              </Button>
            )}
          </fieldset>
        ))}
        {variants.length < MOST && mode === "split" && (
          <Button
            onClick={() => {
              onChange([...variants, emptyVariant(words.variantName(variants.length))]);
            }}
          >
            {words.addVariant}
          </Button>
        )}
      </div>
    </Card>
  );
}

interface OneProps {
  variant: VariantDraft;
  place: number;
  mode: Draft["mode"];
  complaints: Record<string, string>;
  change: (place: number, some: Partial<VariantDraft>) => void;
}

function One({ variant, place, mode, complaints, change }: OneProps) {
  const complaint = (field: string) => complaints[`variants.${place}.${field}`];
  const text = (field: keyof VariantDraft, name: string, label: string, hint?: string) => (
    <TextField
      label={label}
      hint={hint}
      error={complaint(name)}
      value={variant[field]}
      onChange={(event) => {
        change(place, { [field]: event.target.value });
      }}
    />
  );
  return (
    <>
      {text("name", "name", words.name)}
      {mode === "split" && text("weight", "weight", words.weight)}
      {text("model", "overrides.model", words.model, words.emptyAsEver)}
      {text("bundle", "overrides.bundle", words.bundle, words.emptyAsEver)}
      {mode === "split" && (
        <>
          {text("k", "overrides.k", words.k, words.emptyAsEver)}
          <SelectField
            label={words.rules}
            error={complaint("overrides.rules")}
            value={variant.rules}
            options={[
              { value: "", label: words.rulesAct },
              { value: "none", label: words.rulesOff },
            ]}
            onChange={(rules) => {
              change(place, { rules });
            }}
          />
          <SelectField
            label={words.explain}
            error={complaint("overrides.explain")}
            value={variant.explain}
            options={[
              { value: "", label: words.asEver },
              { value: "cheap", label: words.explained },
              { value: "none", label: words.unexplained },
            ]}
            onChange={(explain) => {
              change(place, { explain });
            }}
          />
        </>
      )}
    </>
  );
}
