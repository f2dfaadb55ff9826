import { html, svg } from "lit";
import type { SVGTemplateResult } from "lit";

/** 16 by 16, drawn with the text's colour; decorative, so hidden from screen readers. */
const icon = (paths: SVGTemplateResult) => svg`
  <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${paths}</svg>`;

export const copyIcon = icon(
  svg`<rect x="5.5" y="5.5" width="8" height="8" rx="1.5" /><path d="M10.5 3V2.5h-8v8H3" />`,
);
export const checkIcon = icon(svg`<path d="M3 8.5 6.5 12 13 4.5" />`);
export const downloadIcon = icon(svg`<path d="M8 2.5v7.5M4.75 7 8 10.25 11.25 7M2.5 13.5h11" />`);
export const eyeIcon = icon(
  svg`<path d="M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8Z" /><circle cx="8" cy="8" r="2" />`,
);
export const fullscreenIcon = icon(
  svg`<path d="M2.5 6v-3.500h3.500M13.500 6v-3.500H10M2.500 10v3.500H6M13.500 10v3.500H10" />`,
);
export const keyboardIcon = icon(
  svg`<rect x="1.500" y="4" width="13" height="8.500" rx="1.500" /><path d="M4 7h.01M6.700 7h.01M9.300 7h.01M12 7h.01M5 10h6" />`,
);
export const panelIcon = icon(
  svg`<rect x="1.500" y="2.500" width="13" height="11" rx="1.500" /><path d="M10 2.500v11" />`,
);
export const saveIcon = icon(
  svg`<path d="M2.500 3.500a1 1 0 0 1 1-1h7l3 3v7a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1Z" /><path d="M5 2.500V6h5V2.500M5 13.500v-4h6v4" />`,
);
export const pauseIcon = icon(svg`<path d="M5.500 3v10M10.500 3v10" />`);
export const resumeIcon = icon(svg`<path d="M4.500 2.500 13 8l-8.500 5.500Z" />`);
export const restartIcon = icon(svg`<path d="M13 8a5 5 0 1 1-1.500-3.570M13 2v3h-3" />`);
export const restoreIcon = icon(
  svg`<path d="M3 8a5 5 0 1 0 1.500-3.570M3 2v3h3" /><path d="M8 5.500V8l1.750 1.250" />`,
);
export const screenIcon = icon(
  svg`<rect x="1.500" y="2.500" width="13" height="9" rx="1.500" /><path d="M5.500 14h5" />`,
);
export const trashIcon = icon(svg`<path d="M2.500 4.500h11M6 4.500v-2h4v2M4 4.500l.5 9h7l.5-9" />`);

/** A tab with a machine in it. */
export const logoIcon = html`<svg width="22" height="22" viewBox="0 0 22 22" fill="none" aria-hidden="true">
  <path
    d="M2 7.500A2.500 2.500 0 0 1 4.500 5H8l1.800-2h7.700A2.500 2.500 0 0 1 20 5.500v11a2.500 2.500 0 0 1-2.500 2.500h-13A2.500 2.500 0 0 1 2 16.500Z"
    fill="currentColor"
    opacity="0.22"
  />
  <path
    d="M2 7.500A2.500 2.500 0 0 1 4.500 5H8l1.800-2h7.700A2.500 2.500 0 0 1 20 5.500v11a2.500 2.500 0 0 1-2.500 2.500h-13A2.500 2.500 0 0 1 2 16.500Z"
    stroke="currentColor"
    stroke-width="1.600"
  />
  <path
    d="m6.500 9.500 3 2.500-3 2.500M11.500 14.500h4"
    stroke="currentColor"
    stroke-width="1.600"
    stroke-linecap="round"
    stroke-linejoin="round"
  />
</svg>`;
