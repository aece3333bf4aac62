import { useState } from "react";

import { useUiSettings } from "@/api/uiSettings";
import { mayLoad } from "@/lib/imageHosts";

import { glyphOf } from "./glyph";

interface Props {
  image?: string | null | undefined;
  categories?: string[] | undefined;
  className?: string;
}

/** The item's picture where its host is one that the shop allows, else a glyph of its category. It is decoration: titles stand beside it. */
export function ItemImage({ image, categories = [], className = "" }: Props) {
  const { image_hosts: hosts } = useUiSettings();
  const [failed, setFailed] = useState("");
  if (image && image !== failed && mayLoad(image, hosts, new URL(location.href))) {
    return (
      <img
        src={image}
        alt=""
        loading="lazy"
        referrerPolicy="no-referrer"
        className={`bg-sunken object-contain ${className}`}
        onError={() => {
          setFailed(image);
        }}
      />
    );
  }
  const { letter, tone } = glyphOf(categories);
  return (
    <div
      aria-hidden="true"
      className={`flex items-center justify-center text-lg font-semibold ${tone} ${className}`}
    >
      {letter}
    </div>
  );
}
