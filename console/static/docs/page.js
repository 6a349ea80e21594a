// A key that somebody wrote here is gone with the page. Earlier versions of it kept one in the browser.
localStorage.removeItem("authorized");

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
