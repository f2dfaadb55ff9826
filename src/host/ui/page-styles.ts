import { css } from "lit";

/** How the page is laid out: header, stage with what is said above the picture, side panel; in full screen the stage alone. */
export const pageStyles = css`
  :host {
    display: grid;
    grid-template: auto minmax(0, 1fr) / minmax(0, 1fr) auto;
    height: 100dvh;
  }
  header {
    grid-column: 1 / -1;
    display: flex;
    align-items: center;
    gap: 6px;
    padding: 8px 12px 8px 18px;
    border-bottom: 1px solid var(--line);
  }
  h1 {
    display: flex;
    align-items: center;
    gap: 10px;
    margin: 0;
    font-size: 16px;
    font-weight: 650;
    letter-spacing: -0.01em;
  }
  h1 svg {
    color: var(--accent);
  }
  .phase {
    margin-left: 10px;
    padding: 2px 10px;
    border: 1px solid var(--line);
    border-radius: 999px;
    font-size: 12.5px;
    color: var(--quiet);
  }
  .phase.running {
    color: var(--good);
  }
  .phase:is(.failed, .panicked) {
    color: var(--bad);
  }
  .space {
    flex: 1;
  }
  main {
    display: grid;
    grid-template-rows: auto minmax(0, 1fr) auto;
    min-width: 0;
    padding: 14px 18px 10px;
    background: var(--stage);
  }
  .screens {
    display: grid;
    grid-auto-flow: column;
    grid-auto-columns: minmax(0, 1fr);
    grid-template-rows: minmax(0, 1fr);
    gap: 12px;
    min-width: 0;
    min-height: 0;
  }
  .screens:is([data-shown="3"], [data-shown="4"]) {
    grid-auto-flow: row;
    grid-template: repeat(2, minmax(0, 1fr)) / repeat(2, minmax(0, 1fr));
  }
  /* Its own display property would win over the attribute. */
  machine-screen[hidden] {
    display: none;
  }
  boot-progress {
    min-height: 30px;
    padding-bottom: 10px;
  }
  footer {
    display: flex;
    justify-content: center;
    gap: 16px;
    min-height: 30px;
    padding-top: 10px;
    font-size: 12.5px;
    color: var(--quiet);
  }
  kbd {
    padding: 1px 6px;
    border: 1px solid var(--line);
    border-bottom-width: 2px;
    border-radius: 5px;
    background: var(--card);
    font: 11.5px var(--sans);
    color: var(--text);
  }
  aside {
    /* What is hidden in it but for screen readers scrolls with it, not with the page. */
    position: relative;
    width: 364px;
    overflow-y: auto;
    border-left: 1px solid var(--line);
    background: var(--card);
  }
  aside > * {
    padding: 18px 20px;
    border-bottom: 1px solid var(--line);
  }
  aside > :last-child {
    border-bottom: 0;
  }
  .notice {
    grid-row: 2;
    align-self: center;
    justify-self: center;
    max-width: 440px;
    padding: 28px;
    border: 1px solid var(--line);
    border-radius: 14px;
    background: var(--card);
    box-shadow: var(--shadow);
  }
  .notice h2 {
    margin: 0 0 6px;
    font-size: 18px;
    letter-spacing: -0.01em;
    text-transform: none;
    color: var(--text);
  }
  .notice .joining {
    margin: 22px 0 8px;
  }
  .notice .row {
    margin-top: 14px;
  }
  .banner {
    width: min(640px, 100%);
    margin: 0 auto 12px;
  }
  :host(:fullscreen) header,
  :host(:fullscreen) aside,
  :host(:fullscreen) footer {
    display: none;
  }
  :host(:fullscreen) main {
    grid-column: 1 / -1;
    grid-row: 1 / -1;
    position: relative;
    grid-template-rows: minmax(0, 1fr);
    padding: 0;
    background: #000;
  }
  /* What is said lies on the picture, which has the whole of the screen. */
  :host(:fullscreen) .above {
    position: absolute;
    inset: 0 0 auto;
    z-index: 1;
    display: grid;
    pointer-events: none;
  }
  :host(:fullscreen) .above > .banner {
    pointer-events: auto;
  }
  .touch {
    display: none;
  }
  @media (any-pointer: coarse) {
    .touch {
      display: inline-flex;
    }
  }
  @media (max-width: 860px) {
    :host {
      grid-template: auto auto auto / minmax(0, 1fr);
      height: auto;
      min-height: 100dvh;
    }
    main {
      height: min(70dvh, calc(75vw + 110px));
      padding: 12px 12px 8px;
    }
    main:has(.screens:not([data-shown="1"])) {
      height: auto;
    }
    .screens:not([data-shown="1"]) {
      grid-auto-flow: row;
      grid-template: none / minmax(0, 1fr);
      grid-auto-rows: min(60dvh, 75vw);
    }
    aside {
      width: auto;
      border-left: 0;
      border-top: 1px solid var(--line);
    }
    .wide {
      display: none;
    }
    footer {
      flex-wrap: wrap;
      gap: 2px 16px;
    }
  }
`;
