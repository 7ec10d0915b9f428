"""The only place that speaks to Alibaba Cloud."""

from spottui.cloud.sdk_models import import_models_on_use

import_models_on_use()
