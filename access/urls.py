from django.urls import path

from access.views import KeyViewSet

urlpatterns = [
    path("keys", KeyViewSet.as_view({"post": "create", "get": "list"})),
    path("keys/<id:key_id>", KeyViewSet.as_view({"delete": "destroy"})),
]
