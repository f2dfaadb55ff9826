import { css } from "lit";

/** What buttons, panels and small texts look like everywhere. */
export const sharedStyles = css`
  * {
    box-sizing: border-box;
  }
  :host {
    display: block;
  }
  h2 {
    margin: 0 0 10px;
    font-size: 12px;
    font-weight: 600;
    letter-spacing: 0.06em;
    text-transform: uppercase;
    color: var(--quiet);
  }
  p {
    margin: 0 0 10px;
  }
  button,
  a.button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 7px;
    min-height: 32px;
    padding: 0 12px;
    border: 1px solid var(--line);
    border-radius: 8px;
    background: var(--card);
    color: var(--text);
    font: inherit;
    font-weight: 500;
    text-decoration: none;
    cursor: pointer;
    transition:
      background 120ms,
      border-color 120ms;
  }
  button:hover:not(:disabled),
  a.button:hover {
    border-color: var(--quiet);
  }
  button:disabled {
    opacity: 0.5;
    cursor: default;
  }
  button.primary {
    border-color: transparent;
    background: var(--accent);
    color: var(--on-accent);
  }
  button.plain {
    border-color: transparent;
    background: transparent;
  }
  button.icon {
    width: 32px;
    padding: 0;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  code {
    font: 12px/1.5 var(--mono);
  }
  .quiet {
    color: var(--quiet);
  }
  .small {
    font-size: 12.5px;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px;
  }
  .problem {
    overflow-wrap: anywhere;
    margin-bottom: 10px;
    padding: 10px 12px;
    border-radius: 8px;
    background: var(--bad-soft);
  }
  .problem strong {
    color: var(--bad);
  }
  .problem p {
    margin: 4px 0 0;
  }
  .problem .row {
    margin-top: 10px;
  }
  .problem.news {
    border: 1px solid var(--line);
    background: var(--ground);
  }
  .problem.news strong {
    color: var(--text);
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  svg {
    display: block;
    flex: none;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      animation: none !important;
      transition: none !important;
    }
  }
`;
