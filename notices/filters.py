"""Filters of channels and notices."""

import django_filters as filters

from core.api.filters import CommaSeparatedChoiceFilter, IdFilter
from notices.models import ChannelStatus, NoticeKind, NoticeStatus


class ChannelFilter(filters.FilterSet):
    status = CommaSeparatedChoiceFilter(ChannelStatus.values)
    owner = filters.CharFilter()


class ArbitrationNoticeFilter(filters.FilterSet):
    status = CommaSeparatedChoiceFilter(NoticeStatus.values)
    kind = CommaSeparatedChoiceFilter(NoticeKind.values)


class NoticeFilter(ArbitrationNoticeFilter):
    channel_id = IdFilter()
    to = filters.CharFilter()
